-- Reads resources by turns; the paths are in a file, one a line, and each thread formats its requests once.
local requests, next_request = {}, 0

function init()
  for path in io.lines(os.getenv("MECFORGE_PATHS")) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end
