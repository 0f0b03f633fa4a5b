-- "<id>:<attempt>" of all that stands in these claims.
local function held(claims)
  local texts = {}
  for _, element in ipairs(call('HVALS', claims)) do
    texts[#texts + 1] = string.match(element, '^%S+ (%d+:%d+)')
  end
  return texts
end
