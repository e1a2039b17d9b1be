// Scenarios by franz-go. Arguments: the broker's address, then the wanted
// scenarios (none: all). One JSON line per scenario. Or: transform, and what
// transform.go says.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

type scenario struct {
	name string
	run  func(*kit)
}

func scenarios() []scenario {
	return slices.Concat(recordScenarios(), groupScenarios(), consumerProtocolScenarios(), shareScenarios(),
		wireScenarios(), adminScenarios(), configScenarios(), transactionScenarios(), vlsnScenarios())
}

func main() {
	if os.Args[1] == "transform" {
		transform(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6])
	}
	address, wanted := os.Args[1], os.Args[2:]
	names := []string{}
	chosen := []scenario{}
	for _, s := range scenarios() {
		if len(wanted) == 0 || slices.Contains(wanted, s.name) {
			names = append(names, s.name)
			chosen = append(chosen, s)
		}
	}
	print(map[string]any{"scenarios": names})
	for _, s := range chosen {
		startedAt := time.Now()
		result := map[string]any{"scenario": s.name, "ok": true}
		if err := attempt(s, address); err != "" {
			result["ok"], result["error"] = false, err
		}
		result["ms"] = time.Since(startedAt).Milliseconds()
		print(result)
	}
}

func print(value any) {
	line, _ := json.Marshal(value)
	fmt.Println(string(line))
}

func attempt(s scenario, address string) (failure string) {
	k := newKit(address)
	defer k.close()
	defer func() {
		if cause := recover(); cause != nil {
			failure = fmt.Sprintf("%v at %s", cause, scenarioLine(string(debug.Stack())))
		}
	}()
	s.run(k)
	return ""
}

// scenarioLine finds the line of the scenario itself in a stack.
func scenarioLine(stack string) string {
	for _, line := range strings.Split(stack, "\n") {
		for _, file := range []string{"records.go:", "wire.go:", "groups.go:", "consumer_protocol.go:", "share.go:", "admin.go:", "configs.go:", "transactions.go:", "vlsn.go:"} {
			if at := strings.Index(line, file); at >= 0 {
				return strings.Fields(line[at:])[0]
			}
		}
	}
	return "an unknown line"
}
