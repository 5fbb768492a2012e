"""From a wheel to forty boxes: packing, signing, installing, updating and looking after devices."""
