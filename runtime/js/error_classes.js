// The errors of the language that keep their class from one isolate to another.
(function () {
const names = [
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
];

return { names };
})();
