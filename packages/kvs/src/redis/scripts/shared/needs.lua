-- Needs keys hold no blanks, so that a list of them is one field.
local function queued(needs)
  local sum = 0
  for each in string.gmatch(needs, '%S+') do
    sum = sum + call('LLEN', P .. 'queue:' .. each)
  end
  return sum
end
