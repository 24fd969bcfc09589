// Named bands of noise, from the policy that runs.

/** The bands in rising order, from the policy's `levels` (name -> lower edge): [{name, from, heat}], heat 0 to 6. */
export function bands(levels) {
  const ordered = Object.entries(levels).sort((a, b) => a[1] - b[1]);
  const last = Math.max(1, ordered.length - 1);
  return ordered.map(([name, from], place) => ({ name, from, heat: Math.round((6 * place) / last) }));
}

/** The band that a noise lies in. */
export function bandOf(noise, all) {
  return all.findLast((band) => noise >= band.from) ?? all[0];
}
