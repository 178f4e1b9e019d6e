// SPDX-License-Identifier: BSD-2-Clause

// What Go's own resolver makes of names: for each argument KIND:NAME one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

func word(err error) string {
	var failure *net.DNSError
	if !errors.As(err, &failure) {
		return err.Error()
	}
	if failure.IsNotFound {
		return "missing"
	}
	return "failed"
}

func lookUp(resolver *net.Resolver, kind, name string) (map[string]any, error) {
	ctx := context.Background()
	if kind == "srv" {
		_, found, err := resolver.LookupSRV(ctx, "", "", name)
		records := []string{}
		for _, srv := range found {
			records = append(records, fmt.Sprintf("%d %s", srv.Port,
				strings.TrimSuffix(srv.Target, ".")))
		}
		return map[string]any{"srv": records}, err
	}
	network := map[string]string{"any": "ip", "v6": "ip6"}[kind]
	found, err := resolver.LookupIP(ctx, network, name)
	addresses := []string{}
	for _, address := range found {
		addresses = append(addresses, address.String())
	}
	return map[string]any{"addresses": addresses}, err
}

func main() {
	resolver := &net.Resolver{PreferGo: true}
	for _, argument := range os.Args[1:] {
		kind, name, _ := strings.Cut(argument, ":")
		result, err := lookUp(resolver, kind, name)
		if err != nil {
			result = map[string]any{"error": word(err)}
		}
		line, _ := json.Marshal(result)
		fmt.Println(string(line))
	}
}
