"""A camera for pages that read labels, which no test machine has."""

# A camera whose picture is what `seen` says.
CAMERA = """
  globalThis.seen = "";
  globalThis.BarcodeDetector = class { async detect() { return seen ? [{ rawValue: seen }] : []; } };
  navigator.mediaDevices.getUserMedia = async () => document.createElement("canvas").captureStream();
"""
