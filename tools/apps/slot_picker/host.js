// The host, as MCP Apps has it: JSON-RPC 2.0 over postMessage, with the frame around this one and nobody else. It is
// addressed as "*", since a view cannot know the origin of its host.

const PROTOCOL = "2026-01-26";
const METHOD_NOT_FOUND = -32601;

const host = {
  capabilities: {},
  context: {},
  heard: {}, // what to do when the host says something, by method; what it gives answers a request
  waiting: new Map(),
  last: 0,

  send(message) {
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  },
  notify(method, params = {}) {
    this.send({ method, params });
  },
  request(method, params = {}) {
    const id = ++this.last;
    this.send({ id, method, params });
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  },

  receive({ source, data }) {
    if (source !== window.parent || data?.jsonrpc !== "2.0") return;
    if (typeof data.method === "string") this.serve(data);
    else this.settle(data);
  },
  serve({ id, method, params }) {
    const act = Object.hasOwn(this.heard, method) ? this.heard[method] : null;
    const result = act?.(params ?? {}) ?? {};
    if (id === undefined) return;
    this.send(act ? { id, result } : { id, error: { code: METHOD_NOT_FOUND, message: `No method ${method}` } });
  },
  settle({ id, result, error }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.reject(new Error(String(error.message ?? "no reason was given")));
    else asked?.resolve(result ?? {});
  },

  // Calls a tool of the server; what comes back is always a result, a refusal of the host too.
  async call(name, args) {
    try {
      return await this.request("tools/call", { name, arguments: args });
    } catch (fault) {
      return { isError: true, content: [{ type: "text", text: `The call was not carried out: ${fault.message}` }] };
    }
  },
  // Says something in the conversation, in the person's name.
  async say(text) {
    const { isError } = await this.request("ui/message", { role: "user", content: [{ type: "text", text }] });
    if (isError) throw new Error("it was refused");
  },
  // Lets the model know something without making it answer, where the host can.
  async mention(text) {
    if (!this.capabilities.updateModelContext) return false;
    const told = this.request("ui/update-model-context", { content: [{ type: "text", text }] });
    return told.then(({ isError }) => !isError, () => false);
  },

  async connect() {
    window.addEventListener("message", (event) => this.receive(event));
    const hello = await this.request("ui/initialize", {
      protocolVersion: PROTOCOL,
      appInfo: { name: "calendly-slot-picker", title: "Slot picker", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline"] },
    });
    this.capabilities = hello.hostCapabilities ?? {};
    this.heard["ui/notifications/host-context-changed"]?.(hello.hostContext ?? {});
    this.notify("ui/notifications/initialized");
    const tellSize = () => {
      const { width, height } = document.documentElement.getBoundingClientRect();
      this.notify("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
    };
    new ResizeObserver(tellSize).observe(document.documentElement);
  },
};

// What a tool answered: its structure, or the same as JSON text.
function contentOf(result) {
  if (result?.structuredContent) return result.structuredContent;
  try {
    return JSON.parse(textOf(result)) ?? {};
  } catch {
    return {};
  }
}

function textOf(result) {
  const parts = Array.isArray(result?.content) ? result.content : [];
  return parts.map((part) => part?.text).filter((text) => typeof text === "string").join("\n");
}

// Why a tool failed, in sentences for a person.
function reasonsOf(result) {
  const error = contentOf(result).error;
  if (!error?.message) return [textOf(result) || "It failed, and did not say why."];
  const details = Array.isArray(error.details) ? error.details : [];
  return [error.message, ...details.map((detail) => detail?.message)]
    .filter((text, index, all) => typeof text === "string" && !all.slice(0, index).some((said) => said.includes(text)));
}

// Makes an element. Whatever comes from outside gets in as text or as the value of an attribute, never as HTML.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const button = (label, click, attributes = {}) => element("button", { type: "button", click, ...attributes }, label);
