// An extension that any worker can import, and what only it can.
import { inner } from "shared:inner";

export const names = ["shared", inner];
