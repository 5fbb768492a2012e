"""Everything the device runs: text, student network, sound, lip-sync and the MQTT daemon."""
