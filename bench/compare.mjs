// No time is believed before the answers are equal.

const parts = ["shape", "stored", "values", "places", "metadata", "genes", "text"];

/** Messages about answers that differ from TileDB-Py's; `answers` maps key -> contestant -> answer. */
export function differences(answers) {
  const wrong = [];
  for (const [key, all] of Object.entries(answers)) {
    for (const [who, answer] of Object.entries(all)) {
      for (const part of parts) {
        // Python cellarr gives no places, see python_cellarr.py.
        if (part === "places" && answer.places === undefined) continue;
        const [given, expected] = [JSON.stringify(answer[part]), JSON.stringify(all.tiledb[part])];
        if (given !== expected)
          wrong.push(`${key}: ${who} differs from TileDB-Py in ${part}: ${short(given)}, ${short(expected)}`);
      }
    }
  }
  return wrong;
}

const short = (text) => (text.length > 100 ? `${text.slice(0, 100)}...` : text);
