-- The day on which a program runs, as text.
print(os.date())
print('[started on ' .. os.date('%Y-%m-%d %H:%M:%S') .. ']')
local begin = os.time()
print(os.time() >= begin)
