return {install=function() end}
