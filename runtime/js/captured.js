// The core that scripts other than globals.js see: a copy, which is theirs for
// good once the global one is gone.
(function () {
const { core } = __bootstrap;
return { core };
})();
