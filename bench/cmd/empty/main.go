// Empty is the Go program that does nothing: what it takes to start is the part
// of a run that no Go program can avoid, and the reference of the start-up
// budget.
package main

func main() {}
