// ext:deno_node/stream/promises.js
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function () {
const module = { exports: {} };
const require = __bootstrap.core.loadExtScript("ext:outboard/node/require.js").require;
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
var stdin_exports = {};
__export(stdin_exports, {
  default: () => stdin_default,
  finished: () => finished,
  pipeline: () => pipeline
});
module.exports = __toCommonJS(stdin_exports);
var import_mod = require("ext:core/mod.js");
var import_pipeline = require("ext:deno_node/internal/streams/pipeline.js");
var _mod2 = __toESM(require("node:stream"));
const {
  isIterable,
  isNodeStream,
  isWebStream
} = import_mod.core.loadExtScript("ext:deno_node/internal/streams/utils.js");
const { finished } = import_mod.core.loadExtScript(
  "ext:deno_node/internal/streams/end-of-stream.js"
);
"use strict";
const {
  ArrayPrototypePop,
  Promise: Promise2
} = import_mod.primordials;
_mod2;
function pipeline(...streams) {
  return new Promise2((resolve, reject) => {
    let signal;
    let end;
    const lastArg = streams[streams.length - 1];
    if (lastArg && typeof lastArg === "object" && !isNodeStream(lastArg) && !isIterable(lastArg) && !isWebStream(lastArg)) {
      const options = ArrayPrototypePop(streams);
      signal = options.signal;
      end = options.end;
    }
    (0, import_pipeline.pipelineImpl)(streams, (err, value) => {
      if (err) {
        reject(err);
      } else {
        resolve(value);
      }
    }, { signal, end });
  });
}
const _defaultExport1 = {
  finished,
  pipeline
};
var stdin_default = _defaultExport1;
return module.exports;
})();
