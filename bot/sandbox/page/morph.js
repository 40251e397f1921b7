// Makes an element on the page equal to a freshly built one, touching only what differs, so that an edit every second
// keeps selections, loaded images and scroll positions.

export function morph(live, fresh) {
  if (live.nodeType !== fresh.nodeType || live.nodeName !== fresh.nodeName) {
    live.replaceWith(fresh);
    return fresh;
  }
  if (live.nodeType !== Node.ELEMENT_NODE) {
    if (live.nodeValue !== fresh.nodeValue) live.nodeValue = fresh.nodeValue;
    return live;
  }
  morphAttributes(live, fresh);
  morphChildren(live, fresh);
  return live;
}

function morphAttributes(live, fresh) {
  if (live.hasAttribute("data-keep") && live.textContent === fresh.textContent) return;
  for (const { name } of [...live.attributes]) if (!fresh.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (live.getAttribute(name) === value) continue;
    if (name === "style") live.style.cssText = value; // the page's policy forbids writing the attribute itself
    else live.setAttribute(name, value);
  }
}

function morphChildren(live, fresh) {
  const wanted = [...fresh.childNodes];
  while (live.childNodes.length > wanted.length) live.lastChild.remove();
  wanted.forEach((child, index) => {
    const present = live.childNodes[index];
    if (present) morph(present, child);
    else live.append(child);
  });
}
