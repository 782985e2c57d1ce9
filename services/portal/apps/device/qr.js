/**
 * QR codes that need no network: bytes in versions 1 to 5 with error correction L, whose codewords are one block.
 * ISO/IEC 18004. The mask is always the first one: a reader takes any.
 */
import { utf8 } from "./encoding.js";

// Codewords for data and for error correction, by version from 1 on.
const CODEWORDS = [[19, 7], [34, 10], [55, 15], [80, 20], [108, 26]];
const BYTES = 0b0100;
const PADDING = [0xec, 0x11];
// Error correction L and the first mask, with their check bits.
const FORMAT = 0b111011111000100;
const FIELD = 0x11d;

/** The modules of the code, row by row; true is dark. Raises RangeError for more than 106 bytes.
 * @param {string} text @returns {boolean[][]} */
export function qrModules(text) {
  const bytes = utf8(text);
  // Four bits name the mode, and eight the length.
  const version = CODEWORDS.findIndex(([data]) => bytes.length + 2 <= data) + 1;
  if (!version) throw new RangeError(`a QR code of ${bytes.length} bytes`);
  const [data, checks] = CODEWORDS[version - 1];
  const words = dataWords(bytes, data);
  const symbol = new Symbol(version);
  symbol.fill([...words, ...remainder(words, checks)]);
  return symbol.modules.map((row) => row.map(Boolean));
}

/** @param {Uint8Array} bytes @param {number} length */
function dataWords(bytes, length) {
  const halves = (/** @type {number} */ byte) => [byte >> 4, byte & 15];
  const nibbles = [BYTES, ...halves(bytes.length), ...[...bytes].flatMap(halves)];
  // The terminator is four bits too.
  nibbles.push(0);
  const words = [];
  for (let index = 0; index < nibbles.length; index += 2) words.push((nibbles[index] << 4) | nibbles[index + 1]);
  for (let index = 0; words.length < length; index++) words.push(PADDING[index % 2]);
  return words;
}

/** @param {number} one @param {number} other */
function times(one, other) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * FIELD);
    product ^= ((other >> bit) & 1) * one;
  }
  return product;
}

/** The Reed-Solomon check words. @param {number[]} words @param {number} count */
function remainder(words, count) {
  let generator = [1];
  for (let index = 0, root = 1; index < count; index++, root = times(root, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((term, place) => term ^ (place ? times(generator[place - 1], root) : 0));
  }
  const rest = [...words, ...Array(count).fill(0)];
  for (let index = 0; index < words.length; index++) {
    const factor = rest[index];
    generator.forEach((term, place) => (rest[index + place] ^= times(term, factor)));
  }
  return rest.slice(words.length);
}

class Symbol {
  /** @param {number} version */
  constructor(version) {
    this.size = 4 * version + 17;
    /** @type {(boolean | null)[][]} */
    this.modules = Array.from({ length: this.size }, () => Array(this.size).fill(null));
    const last = this.size - 1;
    for (let index = 8; index < this.size - 8; index++) {
      this.set(6, index, index % 2 === 0);
      this.set(index, 6, index % 2 === 0);
    }
    this.square(3, 3, 4);
    this.square(3, last - 3, 4);
    this.square(last - 3, 3, 4);
    if (version > 1) this.square(last - 6, last - 6, 2);
    this.format();
  }

  /** @param {number} row @param {number} column @param {boolean} dark */
  set(row, column, dark) {
    if (row in this.modules && column in this.modules) this.modules[row][column] = dark;
  }

  /** Rings around a middle: those at an even distance are dark up to 3. @param {number} row @param {number} column
   * @param {number} reach */
  square(row, column, reach) {
    for (let down = -reach; down <= reach; down++)
      for (let right = -reach; right <= reach; right++) {
        const distance = Math.max(Math.abs(down), Math.abs(right));
        this.set(row + down, column + right, reach === 2 ? distance !== 1 : distance !== 2 && distance !== 4);
      }
  }

  format() {
    const { size } = this;
    for (let index = 0; index < 15; index++) {
      const dark = ((FORMAT >> index) & 1) === 1;
      // Beside the first square, around the timing patterns.
      if (index < 8) this.set(index < 6 ? index : index + 1, 8, dark);
      else this.set(8, index === 8 ? 7 : 14 - index, dark);
      if (index < 8) this.set(8, size - 1 - index, dark);
      else this.set(size - 15 + index, 8, dark);
    }
    this.set(size - 8, 8, true);
  }

  /** Columns in pairs from the right, up and down in turn, with the mask. @param {number[]} words */
  fill(words) {
    let bit = 0;
    for (let right = this.size - 1, up = true; right > 0; right -= 2, up = !up) {
      // The timing pattern has this column.
      if (right === 6) right = 5;
      for (let step = 0; step < this.size; step++) {
        const row = up ? this.size - 1 - step : step;
        for (const column of [right, right - 1]) {
          if (this.modules[row][column] !== null) continue;
          const dark = bit < 8 * words.length && ((words[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
          this.modules[row][column] = dark !== ((row + column) % 2 === 0);
          bit++;
        }
      }
    }
  }
}
