module github.com/spillgate/spillgate/bench

go 1.25.0

require github.com/spillgate/spillgate v0.0.0

replace github.com/spillgate/spillgate => ../
