// Starts one dynamic worker a host name through the Worker Loader binding:
// workerd's way to make isolates while it runs, and one of Outboard's.
export default {
  fetch(request, env) {
    const { hostname } = new URL(request.url);
    const load = () => ({
      compatibilityDate: "2025-06-01",
      compatibilityFlags: env.FLAGS,
      mainModule: "worker.js",
      modules: {
        "worker.js": `const NAME = "${hostname}";\n${env.SCRIPT}`,
      },
    });
    return env.LOADER.get(hostname, load).getEntrypoint().fetch(request);
  },
};
