-- Iterates over the elements of `reports`, oldest first, with the number of reports in each.
local function elements()
  local some, at, from = {}, 0, 0
  return function()
    at = at + 1
    if at > #some then
      some, at, from = call('LRANGE', P .. 'reports', from, from + 15), 1, from + 16
    end
    local element = some[at]
    if not element then return nil end
    local engine, first, count = string.match(element, '^(%w+):(%d+):(%d+):')
    -- Nothing behind it would ever be received.
    if not engine then error('an element of the reports is none') end
    return engine, element, tonumber(count), tonumber(first)
  end
end
