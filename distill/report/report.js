"use strict";
// Comforts only: everything on the page can be read and heard without this.
(() => {
  const players = [...document.querySelectorAll("audio")];
  for (const player of players)
    player.addEventListener("play", () => {
      for (const other of players) if (other !== player) other.pause();
    });

  const filter = document.querySelector(".filter");
  if (filter) {
    const choices = [...filter.querySelectorAll("select")];
    const lines = [...document.querySelectorAll(".lines > li")];
    const show = () => {
      for (const line of lines)
        line.hidden = choices.some(({ name, value }) => value && line.dataset[name] !== value);
      for (const group of document.querySelectorAll(".language"))
        group.hidden = !group.querySelector(".lines > li:not([hidden])");
      filter.querySelector("output").textContent = `${lines.filter((line) => !line.hidden).length} lines`;
    };
    filter.addEventListener("change", show);
    filter.hidden = false;
    show();
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
