import fc from 'fast-check';

/** One code point, whichever: letters that people write as often as all the rest. */
export const point = fc
  .oneof(
    fc.integer({ min: 0x20, max: 0x24f }),
    fc.integer({ min: 0, max: 0x2fff }),
    fc.integer({ min: 0, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));
