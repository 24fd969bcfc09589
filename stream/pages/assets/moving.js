// Rows that change places go there instead of jumping, where the reader does not mind motion.

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Put `wanted` into `list` in this order, keeping focus and elements; those that move are seen to move. */
export function reorder(list, wanted) {
  const present = [...list.children];
  if (present.length === wanted.length && present.every((each, place) => each === wanted[place])) return;
  const before = new Map(present.map((each) => [each, each.getBoundingClientRect().top]));
  const focused = document.activeElement;
  for (const gone of present.filter((each) => !wanted.includes(each))) gone.remove();
  wanted.forEach((each, place) => {
    if (list.children[place] !== each) list.insertBefore(each, list.children[place] ?? null);
  });
  // A node that is moved loses the focus, though it is the same node.
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
  if (calm.matches || present.length === 0) return; // what is shown at first is there at once
  for (const each of wanted) {
    const from = before.get(each);
    const shift = from === undefined ? 0 : from - each.getBoundingClientRect().top;
    if (from === undefined) each.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 300 });
    else if (Math.abs(shift) > 1) {
      each.animate([{ transform: `translateY(${shift}px)` }, { transform: "none" }], {
        duration: 350,
        easing: "ease-out",
      });
    }
  }
}
