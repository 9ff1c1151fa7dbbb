// dayjs with time zones, calendars and languages: Intl in its hardest use.
import dayjs from "dayjs";
import "dayjs/locale/de.js";
import "dayjs/locale/ar.js";
import advancedFormat from "dayjs/plugin/advancedFormat.js";
import customParseFormat from "dayjs/plugin/customParseFormat.js";
import duration from "dayjs/plugin/duration.js";
import isoWeek from "dayjs/plugin/isoWeek.js";
import localizedFormat from "dayjs/plugin/localizedFormat.js";
import relativeTime from "dayjs/plugin/relativeTime.js";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";

for (const plugin of [
  advancedFormat, customParseFormat, duration, isoWeek, localizedFormat, relativeTime, timezone, utc,
]) dayjs.extend(plugin);

const moments = ["2024-02-29T23:59:59.999Z", "2024-03-31T00:59:59Z", "2024-10-27T01:00:00Z", "1900-01-01T00:00:00Z"];
const zones = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];

function all() {
  const lines: string[] = [];
  for (const text of moments) {
    const at = dayjs.utc(text);
    lines.push(at.format("dddd, MMMM Do YYYY, HH:mm:ss.SSS [Q]Q [W]WW X x"), at.locale("de").format("LLLL"));
    for (const zone of zones) {
      const there = at.tz(zone);
      lines.push(`${zone} ${there.format("YYYY-MM-DDTHH:mm:ssZ z")} ${there.utcOffset()} ${there.format("zzz")}`);
    }
    lines.push(at.add(1, "month").subtract(1, "day").toISOString(), String(at.isoWeek()), at.from(dayjs.utc(moments[0])));
  }
  lines.push(
    dayjs.tz("2024-03-10 02:30", "America/New_York").toISOString(),
    dayjs("31/12/1999 23:01", "DD/MM/YYYY HH:mm").toISOString(),
    String(dayjs("32/13/1999", "DD/MM/YYYY", true).isValid()),
    dayjs.duration({ hours: 49, minutes: 3 }).humanize(),
    dayjs.duration("P1Y2M3DT4H5M6S").toISOString(),
    dayjs.tz.guess(),
    dayjs.utc(0).locale("ar").format("dddd D MMMM YYYY"),
    new Intl.DateTimeFormat("ja-JP-u-ca-japanese", { dateStyle: "full", timeZone: "UTC" }).format(0),
    new Intl.NumberFormat("de-DE", { style: "currency", currency: "EUR" }).format(1234567.891),
    new Intl.RelativeTimeFormat("fr", { numeric: "auto" }).format(-1, "day"),
    ["z", "a", "\u00e4"].sort(new Intl.Collator("sv").compare).join(),
  );
  return lines.join("\n");
}

export default { fetch: () => new Response(all()) };
