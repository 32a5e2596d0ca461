// Makes a photo smaller before it is kept: a phone's picture is ten times larger than anybody looks at.
(() => {
  "use strict";
  const LONGEST_SIDE = 1600;
  const QUALITY = 0.82;

  const drawn = async (file) => {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
  };

  // Return { name, blob }; what cannot be drawn here (another kind of picture) goes as it is.
  const smaller = async (file) => {
    try {
      const blob = await drawn(file);
      if (blob && blob.size < file.size) return { name: `${file.name.replace(/\.\w+$/, "")}.jpg`, blob };
    } catch {
      // not a picture that this browser can draw; the server judges it
    }
    return { name: file.name, blob: new Blob([await file.arrayBuffer()], { type: file.type }) };
  };

  self.Phone.photo = { smaller };
})();
