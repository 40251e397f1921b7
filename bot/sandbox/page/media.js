// Attachments: pictures with their alt text and reserved space, other files as cards.
import { h } from "./dom.js";

/** Our own files by path alone, so that `localhost` and `127.0.0.1` are one place. */
export function localUrl(url) {
  const parsed = new URL(url, location.href);
  return parsed.pathname.startsWith("/attachments/") ? parsed.pathname + parsed.search : url;
}

export function attachmentNodes(attachments) {
  return attachments.map((file) => (isPicture(file) ? pictureNode(file) : fileCard(file)));
}

function isPicture(file) {
  return (file.content_type ?? "").startsWith("image/") || /\.(png|jpe?g|gif|webp)$/i.test(file.filename ?? file.url ?? "");
}

/** A picture that opens larger when clicked. */
export function pictureNode(file, kind = "picture") {
  const alt = file.description ?? file.filename ?? "";
  const size = file.width && file.height ? { width: file.width, height: file.height } : {};
  const image = h("img", { src: localUrl(file.url), alt, title: file.description ?? null, ...size });
  return h("button", { class: kind, type: "button", "aria-label": `Open image: ${alt}`, dataset: { action: "zoom" } }, image);
}

function fileCard(file) {
  const size = file.size ? `${(file.size / 1024).toFixed(1)} KB` : "";
  const link = h("a", { href: localUrl(file.url), download: file.filename }, file.filename);
  return h("div", { class: "file-card" }, link, h("small", {}, size));
}

/** The dialog that shows one picture at full size. */
export function openLightbox(image) {
  const dialog = h("dialog", { class: "lightbox", "aria-label": image.alt || "Image" });
  const full = h("img", { src: image.src, alt: image.alt });
  const caption = image.alt ? h("p", {}, image.alt) : null;
  dialog.append(full, ...(caption ? [caption] : []));
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
