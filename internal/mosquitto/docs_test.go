package mosquitto_test

import (
	"os"
	"strings"
	"testing"

	"nirapod/internal/mosquitto"
)

// What the guide says is what the tests run.
func TestTheGuideShowsTheConfiguration(t *testing.T) {
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	conf := mosquitto.Conf{
		Dir:      "/var/lib/nirapod-mosquitto",
		Gateways: mosquitto.Listener{Host: "127.0.0.1", Port: "1883"}, Server: mosquitto.Listener{Host: "127.0.0.1", Port: "1884"},
	}
	flat := strings.ReplaceAll(string(guide), "\n   ", "\n")
	if !strings.Contains(flat, conf.String()) {
		t.Errorf("docs/operations.md does not show:\n%s", conf)
	}
}
