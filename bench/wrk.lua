-- What bench/wrk.py reads: microseconds at two percentiles, answers, microseconds that it took, and
-- what went wrong. Source: wrk's SCRIPTING, done(summary, latency, requests).
function done(summary, latency, requests)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"p50": %f, "p99": %f, "answers": %d, "lasted": %d, "refused": %d, "lost": %d}',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
