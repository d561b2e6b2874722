/** Compression levels as the filters' specifications say them, apart from the codecs, which are large. */

/** zlib's level: below 0 stands for its default, 6. */
export function gzipLevel(spec: object): 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 {
  const level = "level" in spec ? Number(spec.level) : 6;
  return (level < 0 ? 6 : Math.min(9, level)) as 0;
}

/** Zstandard's level, which may be negative (faster); below -7 stands for the default, 3, as in TileDB. */
export function zstdLevel(spec: object): number {
  const level = "level" in spec ? Number(spec.level) : 3;
  return level < -7 || level === 0 ? 3 : Math.min(22, level);
}
