// The surroundings of a CloudFront Function: the modules `cloudfront` and `crypto` (edge_crypto.js),
// console.log, a clock, and nothing else.
'use strict';
globalThis.__jam = (() => {
  const parse = JSON.parse;
  const stringify = JSON.stringify;
  const forbidden = (name) =>
    function () {
      throw new EvalError(name + ' is not supported: code from strings cannot run');
    };
  const state = { store: null, make: null, run: null, seal: null };
  const crypto = globalThis.__crypto;
  let invocation;
  let storeId = '';

  // Helper methods for key value stores: get, exists, meta; and count, which is documented later.
  function open(id) {
    if (state.store === null) throw new Error('No key value store is associated with the function');
    if (id !== undefined && storeId && id !== storeId) throw new Error('KVS is not associated: ' + id);
    const values = state.store;
    const has = (key) => Object.prototype.hasOwnProperty.call(values, String(key));
    return Object.freeze({
      get: async (key, options) => {
        if (!has(key)) throw new Error('KeyNotFound: ' + key);
        return decode(values[key], options ? options.format : undefined);
      },
      exists: async (key) => has(key),
      count: async () => Object.keys(values).length,
      meta: async () => ({
        creationDateTime: '2024-01-01T00:00:00.000Z',
        lastUpdatedDateTime: '2024-01-01T00:00:00.000Z',
        keyCount: Object.keys(values).length,
      }),
    });
  }

  function decode(value, format) {
    if (format === 'json') return parse(value);
    if (format === 'bytes') return bytes(value);
    if (format === undefined || format === 'string') return value;
    throw new TypeError('format must be string, json or bytes');
  }

  function bytes(text) {
    const octets = unescape(encodeURIComponent(text));
    return Uint8Array.from(octets, (one) => one.charCodeAt(0));
  }

  const note = (method) => (argument) => {
    invocation.origin.push([method, argument]);
  };
  const modules = {
    cloudfront: Object.freeze({
      kvs: open,
      updateRequestOrigin: note('updateRequestOrigin'),
      selectRequestOriginById: note('selectRequestOriginById'),
      createRequestOriginGroup: note('createRequestOriginGroup'),
    }),
    crypto: crypto,
  };
  const log = (value) => {
    invocation.logs.push(typeof value === 'string' ? value : String(value));
  };

  // Time stands still while a function runs, at the moment that it was started.
  // Source: "JavaScript runtime 2.0 features for CloudFront Functions", Restricted features.
  const RealDate = Date;
  let now = 0;
  class ThatMoment extends RealDate {
    constructor(...parts) {
      super(...(parts.length ? parts : [now]));
    }
    static now() {
      return now;
    }
  }

  state.run = (text, moment) => {
    now = moment;
    const current = { logs: [], origin: [], error: 'The handler did not finish: it awaits forever' };
    invocation = current;
    const succeed = (value) => {
      delete current.error;
      current.value = value === undefined ? null : value;
    };
    const fail = (error) => {
      current.error = error instanceof Error ? error.name + ': ' + error.message : String(error);
    };
    try {
      const handler = state.make((name) => modules[name], Object.freeze({ log: log }));
      if (!handler) throw new Error('The function has no handler');
      const result = handler(parse(text));
      if (result instanceof Promise) result.then(succeed, fail);
      else succeed(result);
    } catch (error) {
      fail(error);
    }
    %PerformMicrotaskCheckpoint();
    return stringify(current);
  };

  state.seal = (id) => {
    storeId = id;
    for (const made of [function () {}, async function () {}, function* () {}]) {
      const prototype = Object.getPrototypeOf(made);
      Object.defineProperty(prototype, 'constructor', { value: forbidden('Function') });
    }
    globalThis.Date = ThatMoment;
    delete globalThis.__crypto;
    globalThis.Function = forbidden('Function');
    globalThis.eval = forbidden('eval');
    Object.defineProperty(globalThis, '__jam', { value: state, enumerable: false });
    Object.freeze(globalThis);
  };
  return state;
})();
