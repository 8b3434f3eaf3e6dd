package order

import (
	"cmp"
	"slices"
)

// Product is something that can be ordered.
type Product struct {
	SKU   string `json:"sku" msgpack:"sku"`
	Name  string `json:"name" msgpack:"name"`
	Cents int64  `json:"cents" msgpack:"cents"`
}

// catalogue is sorted by SKU.
var catalogue = []Product{
	{"bean-200", "Espresso beans, 200 g", 890},
	{"bean-500", "Espresso beans, 500 g", 1990},
	{"cup-blue", "Cup, blue", 1250},
	{"filter-100", "Paper filters, 100", 430},
	{"grinder-1", "Hand grinder", 7900},
	{"kettle-1", "Kettle with a thin spout", 5900},
	{"scale-1", "Scale, 0.1 g", 3400},
}

// taxPermille is by country of delivery.
var taxPermille = map[string]int64{"AT": 200, "CH": 81, "DE": 190, "FR": 200, "IT": 220}

// Catalogue returns all products, sorted by SKU.
func Catalogue() []Product { return slices.Clone(catalogue) }

// Find returns the product with a SKU.
func Find(sku string) (Product, bool) {
	i, found := slices.BinarySearchFunc(catalogue, sku, func(p Product, sku string) int { return cmp.Compare(p.SKU, sku) })
	if !found {
		return Product{}, false
	}
	return catalogue[i], true
}
