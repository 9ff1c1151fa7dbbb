addEventListener("queue", (event) => {
  event.messages[0].ack();
  event.waitUntil((async () => {
    await null;
    if (event.queue === "late") throw new Error("on purpose");
    event.retryAll({ delaySeconds: 3 });
  })());
});
addEventListener("scheduled", (event) => {
  if (event.cron !== "") event.noRetry();
});
