-- Heartbeats of services, whose paths are lines of the file IDS.
local paths = {}
for line in io.lines(os.getenv("IDS")) do paths[#paths + 1] = line end
local base = os.getenv("BASE")
local body = '{"state":"ACTIVE"}'
local n = 0
request = function()
  n = n + 1
  local path = base .. paths[(n % #paths) + 1] .. "/liveness"
  return wrk.format("PATCH", path, { ["Content-Type"] = "application/json" }, body)
end
