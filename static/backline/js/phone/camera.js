// Reads the code on a box with the camera, where the browser can; everywhere else it is typed.
(() => {
  "use strict";
  const FORMATS = ["code_128", "code_39", "code_93", "ean_13", "ean_8", "itf", "upc_a", "data_matrix", "qr_code", "pdf417"];
  const EVERY = 200;

  const canRead = () => "BarcodeDetector" in self && Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);

  const detector = async () => {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((one) => known.includes(one));
    return formats.length ? new BarcodeDetector({ formats }) : null;
  };

  // Show the camera in `video` until a code was read or `stop` is called; resolves to the code, or null.
  const read = async (video, stopped) => {
    const reader = await detector();
    if (!reader) return null;
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" } }, audio: false });
    try {
      video.srcObject = stream;
      await video.play();
      while (!stopped()) {
        const [found] = await reader.detect(video).catch(() => []);
        if (found && found.rawValue.trim()) return found.rawValue.trim();
        await new Promise((resolve) => { setTimeout(resolve, EVERY); });
      }
      return null;
    } finally {
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    }
  };

  self.Phone.camera = { canRead, read };
})();
