# Starts the web-platform-tests' own server from the checkout in the working
# folder, with the configuration in the file that is given. Ends when standard
# input does, so that it never outlives whoever started it.
import os
import sys
import threading

sys.path.insert(0, "tools")
import localpaths  # noqa: E402,F401
from serve import serve  # noqa: E402


def end_with_input():
    # Not sys.stdin: its lock would be held for ever, and forks wait for it.
    while os.read(0, 1):
        pass
    os.killpg(0, 15)


if __name__ == "__main__":
    os.setpgid(0, 0)
    threading.Thread(target=end_with_input, daemon=True).start()
    options = serve.get_parser().parse_args(["--config", sys.argv[1], "--no-h2"])
    serve.run(config_cls=serve.ConfigBuilder, **vars(options))
