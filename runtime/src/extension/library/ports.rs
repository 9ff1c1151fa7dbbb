//! Message ports: both ends of a channel close at once, and nothing is transferred.

use super::{Patch, patch};

const PORTS: &str = "ext:deno_web/13_message_port.js";

pub(super) const PATCHES: &[Patch] = &[
    patch(
        PORTS,
        "  defineEventHandler,\n",
        "  defineEventHandler,\n  Event,\n",
    ),
    patch(
        PORTS,
        "class MessageChannel {",
        "const _peer = Symbol(\"peer\");\n\nfunction refuseTransfer() {\n  throw new primordials.Error(\"Transfer list is not supported\");\n}\n\nclass MessageChannel {",
    ),
    patch(
        PORTS,
        "    const port2 = createMessagePort(port2Id);",
        "    const port2 = createMessagePort(port2Id);\n    port1[_peer] = port2;\n    port2[_peer] = port1;",
    ),
    // An array's elements are not looked at first.
    patch(
        PORTS,
        "    message = webidl.converters.any(message);\n    let options;",
        "    const list = transferOrOptions[SymbolIterator] === undefined\n      ? transferOrOptions.transfer\n      : transferOrOptions;\n    if (list?.length > 0) refuseTransfer();\n    message = webidl.converters.any(message);\n    let options;",
    ),
    patch(
        PORTS,
        "    const { transfer } = options;",
        "    const { transfer } = options;\n    if (transfer.length > 0) refuseTransfer();",
    ),
    patch(
        PORTS,
        "        nodeWorkerThreadMaybeInvokeCloseCb(this);\n      }",
        "        nodeWorkerThreadMaybeInvokeCloseCb(this);\n        this[_peer]?.close();\n        const event = new Event(\"close\");\n        setIsTrusted(event, true);\n        this.dispatchEvent(event);\n      }",
    ),
    patch(
        PORTS,
        "defineEventHandler(MessagePort.prototype, \"messageerror\");",
        "defineEventHandler(MessagePort.prototype, \"messageerror\");\ndefineEventHandler(MessagePort.prototype, \"close\");",
    ),
];
