/** Finds the name that somebody may have meant by an unknown one. */

const LONGEST = 60;

/** Return the known name that differs least, if it is near enough. */
export function nearest(
  name: string,
  known: Iterable<string>,
): string | undefined {
  const given = plain(name);
  let found: string | undefined;
  let least = Infinity;
  for (const one of known) {
    const distance = lettersBetween(given, plain(one));
    if (distance < least && distance <= Math.max(2, one.length / 3)) {
      [found, least] = [one, distance];
    }
  }
  return found;
}

function plain(name: string): string {
  return name.slice(0, LONGEST).toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Count the letters that are missing, added or changed. */
function lettersBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[other.length];
}
