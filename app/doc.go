// Package app composes the server: it checks the configuration whole, builds
// every part, then starts all of them. Nothing else knows the process.
package app
