"""Voice bundles: two networks and the manifest that describes them, checked before use."""
