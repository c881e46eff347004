module github.com/spillgate/spillgate

go 1.25.0
