-- For wrk: reads services at random, whose identifiers are in the file that the variable IDS names.
local paths = {}
for id in io.lines(os.getenv("IDS")) do
  paths[#paths + 1] = os.getenv("BASE") .. "/services/" .. id
end
math.randomseed(os.time())
request = function()
  return wrk.format("GET", paths[math.random(#paths)])
end
