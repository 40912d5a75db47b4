// Package dashboard serves people: the HTTP API, one live stream per browser
// and the page. It reads the state through the tenant filter (state.View), the
// series through the store, and live values from the broker; it decides
// nothing about alarms.
package dashboard
