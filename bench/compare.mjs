// No time is believed before the answers are equal.

const parts = ["shape", "stored", "values", "places", "metadata", "genes", "text"];

/**
 * Messages about answers that differ from TileDB-Py's, and where it does not give a part, from ours; `answers` maps
 * key -> contestant -> answer. An answer of the matrix alone has no metadata, Python cellarr's has no places (see
 * python_cellarr.py).
 */
export function differences(answers) {
  const wrong = [];
  for (const [key, all] of Object.entries(answers)) {
    for (const [who, answer] of Object.entries(all)) {
      for (const part of parts) {
        const judge = all.tiledb[part] === undefined ? "cellarr" : "tiledb";
        const [given, expected] = [answer[part], all[judge][part]].map((value) => JSON.stringify(value));
        if (given === undefined || given === expected) continue;
        wrong.push(`${key}: ${who} differs from ${judge} in ${part}: ${short(given)}, ${short(expected)}`);
      }
    }
  }
  return wrong;
}

const short = (text) => (text.length > 100 ? `${text.slice(0, 100)}...` : text);
