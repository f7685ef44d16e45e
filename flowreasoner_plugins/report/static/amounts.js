// How amounts are written, in the words of the command line.

const count = (value) => Math.round(value).toLocaleString("en-US");
const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;
const score = (value) => (value === null || value === undefined ? "" : value.toFixed(2));

/** Returns dollars, with as many digits as small amounts need. */
function money(usd) {
  return usd >= 1 || usd === 0 ? `$${usd.toFixed(2)}` : `$${usd.toFixed(4)}`;
}

/** Returns dollars, or what is known of them where the price of some calls is not. */
function price(usd, unpriced) {
  if (!unpriced) return money(usd);
  return usd ? `over ${money(usd)}` : "price unknown";
}

/** Returns seconds as 3 ms, 0.4 s, 12 s or 3:05. */
function clock(seconds) {
  if (seconds < 0.0995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** Returns what a number of model calls cost, as one line. */
function spent(cost) {
  const parts = [plural(cost.asked, "model call"), `${count(cost.tokens)} tokens`, price(cost.usd, cost.unpriced)];
  if (cost.cached) parts[0] += ` (${count(cost.cached)} from the cache)`;
  return parts.join(", ");
}
