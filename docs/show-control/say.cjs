#!/usr/bin/env node
// Says a line through a device and waits for its end: npm install mqtt
//
//   node say.cjs mqtt://127.0.0.1:1883 kiosk noah "Good evening."
//
// Prints every event as a line of JSON. Status 0: said to the end; 1: anything else.
const { randomUUID } = require("node:crypto");
const mqtt = require("mqtt");

const [broker, device, character, text] = process.argv.slice(2);
if (!text) {
  console.error('usage: node say.cjs BROKER DEVICE CHARACTER "TEXT"');
  process.exit(2);
}
const base = `sovits/${device}`;
const id = `js-${randomUUID()}`;
const ends = ["finished", "failed", "cancelled", "expired", "rejected"];

const client = mqtt.connect(broker, { protocolVersion: 5, clientId: id });
let over = false;
client.on("error", (error) => {
  if (over) return; // a broker may hang up first when we leave
  console.error(String(error));
  process.exit(1);
});
client.on("connect", async () => {
  await client.subscribeAsync([`${base}/event/+`, `replies/${id}`], { qos: 1 });
  const properties = { responseTopic: `replies/${id}`, correlationData: Buffer.from(id) };
  await client.publishAsync(`${base}/request/say`, JSON.stringify({ id, character, text }), { qos: 1, properties });
});
client.on("message", async (topic, payload, packet) => {
  const message = JSON.parse(payload.toString());
  if (message.id !== id) return; // somebody else's line
  console.log(JSON.stringify(message));
  if (topic === `replies/${id}` && !packet.properties.correlationData.equals(Buffer.from(id))) process.exit(1);
  if (ends.includes(message.event)) {
    over = true;
    await client.endAsync();
    process.exit(message.event === "finished" ? 0 : 1);
  }
});
