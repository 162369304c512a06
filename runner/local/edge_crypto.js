// The module `crypto` of CloudFront Functions, as far as SHA-256 goes; other algorithms are refused.
// Source: "JavaScript runtime 2.0 features for CloudFront Functions", Built-in modules, crypto.
'use strict';
globalThis.__crypto = (() => {
  // FIPS 180-4: the first 32 bits of the fractional parts of the roots of the first 64 primes.
  const primes = [];
  for (let each = 2; primes.length < 64; each++) {
    if (primes.every((prime) => each % prime)) primes.push(each);
  }
  const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) | 0;
  const K = primes.map((prime) => fraction(Math.cbrt(prime)));
  const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  const BLOCK = 64;
  const turn = (word, by) => (word >>> by) | (word << (32 - by));

  function bytesOf(data) {
    if (typeof data !== 'string') return Array.from(data);
    return Array.from(unescape(encodeURIComponent(data)), (one) => one.charCodeAt(0));
  }

  function sha256(message) {
    const padded = message.concat(0x80);
    while (padded.length % BLOCK !== 56) padded.push(0);
    const bits = message.length * 8;
    for (let by = 56; by >= 0; by -= 8) padded.push(Math.floor(bits / 2 ** by) & 255);
    const state = START.slice();
    for (let at = 0; at < padded.length; at += BLOCK) mix(state, padded.slice(at, at + BLOCK));
    return state.flatMap((word) => [24, 16, 8, 0].map((by) => (word >>> by) & 255));
  }

  function mix(state, block) {
    const words = [];
    for (let at = 0; at < BLOCK; at += 4) {
      words.push((block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3]);
    }
    for (let at = 16; at < 64; at++) {
      const [a, b] = [words[at - 15], words[at - 2]];
      const low = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      const high = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      words.push((words[at - 16] + low + words[at - 7] + high) | 0);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let at = 0; at < 64; at++) {
      const ends = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const one = (h + ends + ((e & f) ^ (~e & g)) + K[at] + words[at]) | 0;
      const heads = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const two = (heads + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, at) => {
      state[at] = (state[at] + word) | 0;
    });
  }

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  function base64(bytes, more) {
    const letters = LETTERS + more;
    const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return bits.match(/.{1,6}/g).map((six) => letters[parseInt(six.padEnd(6, '0'), 2)]).join('');
  }

  const ENCODINGS = {
    hex: (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    base64: (bytes) => base64(bytes, '+/') + '='.repeat((3 - (bytes.length % 3)) % 3),
    base64url: (bytes) => base64(bytes, '-_'),
  };

  function hashing(algorithm, finish) {
    if (algorithm !== 'sha256') throw new TypeError(algorithm + ' is not emulated here');
    const parts = [];
    const self = {
      update: (data) => {
        parts.push(...bytesOf(data));
        return self;
      },
      digest: (encoding) => {
        if (!(encoding in ENCODINGS)) throw new TypeError('digest as a Buffer is not emulated here');
        return ENCODINGS[encoding](finish(parts));
      },
    };
    return Object.freeze(self);
  }

  // RFC 2104.
  function createHmac(algorithm, key) {
    const short = bytesOf(key).length > BLOCK ? sha256(bytesOf(key)) : bytesOf(key);
    const whole = short.concat(Array(BLOCK - short.length).fill(0));
    const keyed = (by, rest) => sha256(whole.map((byte) => byte ^ by).concat(rest));
    return hashing(algorithm, (parts) => keyed(0x5c, keyed(0x36, parts)));
  }

  return Object.freeze({
    createHash: (algorithm) => hashing(algorithm, sha256),
    createHmac: createHmac,
  });
})();
