// Package e2e tests Nirapod whole: the programs as they ship, in processes of
// their own, real broker, real stores, real kill -9. It has no code but tests.
package e2e
