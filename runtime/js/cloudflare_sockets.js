// `cloudflare:sockets`
(function () {
const { connect } = __bootstrap.core.loadExtScript("ext:outboard/sockets.js");

return { connect };
})();
