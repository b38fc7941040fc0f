// The site's search runs in a Worker, which browsers refuse to a page that was opened as a file. There a frame
// that is not seen takes its place: the worker's script runs in it, and messages pass between both.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc =
        `<script>postMessage = data => parent.postMessage({data}, "*")</script>` +
        `<script src="${url}"></script>`;
      this.ready = new Promise(resolve => frame.addEventListener("load", () => resolve(frame.contentWindow)));
      addEventListener("message", event => {
        if (event.source === frame.contentWindow)
          this.dispatchEvent(new MessageEvent("message", {data: event.data.data}));
      });
      document.body.append(frame);
    }
    postMessage(data) {
      this.ready.then(inner => inner.dispatchEvent(new inner.MessageEvent("message", {data})));
    }
  };
}
