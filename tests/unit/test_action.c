/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/action.h"
#include "api/encode.h"
#include "api/error.h"
#include "api/json.h"
#include "api/server.h"
#include "registry/discovery.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/service.h"
#include "registry/tag.h"
#include "registry/vpc.h"

/* What has been written is the text. */
static void is_written(struct json_out *w, const char *text)
{
	assert_int_equal(json_status(w), GAZ_OK);
	bytes_put_u8(&w->text, '\0');
	assert_false(w->text.failed);
	assert_string_equal((const char *)w->text.data, text);
	json_fini(w);
}

/* `out` as it goes to the client. */
static void prints(encode_function *encode, const void *out, const char *text)
{
	struct json_out w;

	json_init(&w);
	encode(NULL, out, &w);
	is_written(&w, text);
}

static gaz_status encoding_status(encode_function *encode, const void *out)
{
	struct json_out w;
	gaz_status st;

	json_init(&w);
	encode(NULL, out, &w);
	st = json_status(&w);
	json_fini(&w);
	return st;
}

static void prints_error(int code, const char *message, const struct fault *fault,
			 const char *text)
{
	struct json_out w;

	json_init(&w);
	error_body(code, message, fault, &w);
	is_written(&w, text);
}

static void test_targets_are_found_by_exact_name(void **state)
{
	(void)state;
	assert_non_null(action_find("Route53AutoNaming_v20170314.GetNamespace"));
	assert_non_null(action_find("Gazetteer.PutVpc"));
	assert_null(action_find("Route53AutoNaming_v20170314.getnamespace"));
	assert_null(action_find("Route53AutoNaming_v20170314.GetNamespaces"));
	assert_null(action_find("GetNamespace"));
	assert_null(action_find(""));
	assert_null(action_find(NULL));
}

static void test_every_row_is_complete_and_unique(void **state)
{
	size_t count;
	const struct action *table = action_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(table[i].input->kind, SHAPE_STRUCTURE);
		assert_true(table[i].input->size > 0);
		assert_int_equal(table[i].run == NULL,
				 table[i].way == ACTION_STATUS ||
					 table[i].way == ACTION_FLUSH);
		assert_int_equal(table[i].encode == NULL, table[i].way == ACTION_FILE);
		assert_ptr_equal(action_find(table[i].target), &table[i]);
	}
}

static const struct namespace_record dns = {
	.type = NAMESPACE_DNS_PRIVATE,
	.id = "ns-1",
	.arn = "arn:1",
	.account = "000000000000",
	.name = "example.com",
	.http_name = "example.com-x",
	.creator_request_id = "c",
	.hosted_zone_id = "Z1",
	.soa_ttl = 60,
	.create_ms = 1587055860121,
};

static void test_namespace_forms_differ_between_get_and_list(void **state)
{
	struct namespace_record http = dns;
	struct namespace_page_out page = {&http, 1, "token"};

	(void)state;
	prints(encode_namespace, &dns,
	       "{\"Namespace\":{\"Id\":\"ns-1\",\"Arn\":\"arn:1\",\"ResourceOwner\":"
	       "\"000000000000\",\"Name\":\"example.com\",\"Type\":\"DNS_PRIVATE\","
	       "\"ServiceCount\":0,\"Properties\":{\"DnsProperties\":{\"HostedZoneId\":"
	       "\"Z1\","
	       "\"SOA\":{\"TTL\":60}},\"HttpProperties\":{\"HttpName\":\"example.com-x\"}"
	       "},"
	       "\"CreateDate\":1587055860.121,\"CreatorRequestId\":\"c\"}}");
	http.type = NAMESPACE_HTTP;
	http.description = "d";
	http.create_ms = 1587055860000;
	prints(encode_namespace, &http,
	       "{\"Namespace\":{\"Id\":\"ns-1\",\"Arn\":\"arn:1\",\"ResourceOwner\":"
	       "\"000000000000\",\"Name\":\"example.com\",\"Type\":\"HTTP\","
	       "\"ServiceCount\":0,"
	       "\"Properties\":{\"DnsProperties\":{},\"HttpProperties\":{\"HttpName\":"
	       "\"example.com-x\"}},\"CreateDate\":1587055860.0,\"Description\":\"d\","
	       "\"CreatorRequestId\":\"c\"}}");
	http.description = "";
	prints(encode_namespace_page, &page,
	       "{\"Namespaces\":[{\"Id\":\"ns-1\",\"Arn\":\"arn:1\",\"ResourceOwner\":"
	       "\"000000000000\",\"Name\":\"example.com\",\"Type\":\"HTTP\","
	       "\"ServiceCount\":0,"
	       "\"Properties\":{\"DnsProperties\":{\"SOA\":{}},\"HttpProperties\":{"
	       "\"HttpName\":"
	       "\"example.com-x\"}},\"CreateDate\":1587055860.0}],\"NextToken\":"
	       "\"token\"}");
}

static void test_empty_lists_are_shown_and_absent_members_are_not(void **state)
{
	const struct namespace_page_out no_namespaces = {0};
	const struct operation_page_out no_operations = {0};
	const struct tags_out no_tags = {0};
	const struct vpc_page_out no_vpcs = {0};

	(void)state;
	prints(encode_namespace_page, &no_namespaces, "{\"Namespaces\":[]}");
	prints(encode_operation_page, &no_operations, "{\"Operations\":[]}");
	prints(encode_tags, &no_tags, "{\"Tags\":[]}");
	prints(encode_vpc_page, &no_vpcs, "{\"Vpcs\":[]}");
	prints(encode_nothing, NULL, "{}");
	prints(encode_no_body, NULL, "");
}

static void test_service_shows_dns_config_with_its_namespace(void **state)
{
	struct service_record service = {
		.type = SERVICE_DNS_HTTP,
		.id = "srv-1",
		.arn = "arn:2",
		.account = "000000000000",
		.name = "web",
		.namespace_id = "ns-1",
		.description = "",
		.creator_request_id = "c",
		.create_ms = 1587055860100,
		.dns_record_count = 1,
		.dns_records = {{RECORD_A, 10}},
		.routing_policy = ROUTING_MULTIVALUE,
		.has_custom_health = true,
	};

	(void)state;
	prints(encode_service, &service,
	       "{\"Service\":{\"Id\":\"srv-1\",\"Arn\":\"arn:2\",\"Name\":\"web\","
	       "\"NamespaceId\":"
	       "\"ns-1\",\"ResourceOwner\":\"000000000000\",\"CreatedByAccount\":"
	       "\"000000000000\",\"InstanceCount\":0,\"Type\":\"DNS_HTTP\",\"DnsConfig\":"
	       "{\"NamespaceId\":\"ns-1\",\"RoutingPolicy\":\"MULTIVALUE\","
	       "\"DnsRecords\":"
	       "[{\"Type\":\"A\",\"TTL\":10}]},\"CreateDate\":1587055860.1,"
	       "\"Description\":\"\","
	       "\"CreatorRequestId\":\"c\",\"HealthCheckCustomConfig\":{"
	       "\"FailureThreshold\":"
	       "1}}}");
	service.dns_record_count = 0;
	service.has_custom_health = false;
	service.description = NULL;
	service.type = SERVICE_HTTP;
	service.health_check = HEALTH_CHECK_TCP;
	service.failure_threshold = 3;
	prints(encode_service, &service,
	       "{\"Service\":{\"Id\":\"srv-1\",\"Arn\":\"arn:2\",\"Name\":\"web\","
	       "\"NamespaceId\":"
	       "\"ns-1\",\"ResourceOwner\":\"000000000000\",\"CreatedByAccount\":"
	       "\"000000000000\",\"InstanceCount\":0,\"Type\":\"HTTP\",\"DnsConfig\":{},"
	       "\"CreateDate\":1587055860.1,\"CreatorRequestId\":\"c\","
	       "\"HealthCheckConfig\":"
	       "{\"Type\":\"TCP\",\"FailureThreshold\":3}}}");
}

static void test_operation_shows_its_error_only_when_it_failed(void **state)
{
	struct operation_record op = {
		.id = "op",
		.account = "000000000000",
		.type = OPERATION_CREATE_NAMESPACE,
		.status = OPERATION_FAIL,
		.create_ms = 1587055860121,
		.update_ms = 1587055900469,
		.namespace_id = "ns-1",
		.error_code = "CANNOT_CREATE_HOSTED_ZONE",
		.error_message = "m",
	};
	struct operation_page_out page = {&op, 1, NULL};

	(void)state;
	prints(encode_operation, &op,
	       "{\"Operation\":{\"Id\":\"op\",\"OwnerAccount\":\"000000000000\",\"Type\":"
	       "\"CREATE_NAMESPACE\",\"Status\":\"FAIL\",\"CreateDate\":1587055860.121,"
	       "\"UpdateDate\":1587055900.469,\"Targets\":{\"NAMESPACE\":\"ns-1\"},"
	       "\"ErrorCode\":\"CANNOT_CREATE_HOSTED_ZONE\",\"ErrorMessage\":\"m\"}}");
	op.status = OPERATION_SUCCESS;
	op.service_id = "srv-1";
	op.instance_id = "i";
	op.namespace_id = NULL;
	prints(encode_operation, &op,
	       "{\"Operation\":{\"Id\":\"op\",\"OwnerAccount\":\"000000000000\",\"Type\":"
	       "\"CREATE_NAMESPACE\",\"Status\":\"SUCCESS\",\"CreateDate\":1587055860."
	       "121,"
	       "\"UpdateDate\":1587055900.469,\"Targets\":{\"SERVICE\":\"srv-1\","
	       "\"INSTANCE\":"
	       "\"i\"}}}");
	prints(encode_operation_page, &page,
	       "{\"Operations\":[{\"Id\":\"op\",\"Status\":\"SUCCESS\"}]}");
}

static void test_instances_are_shown_with_their_attributes(void **state)
{
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "10.0.0.1"}, {"k\n", "\"v\""}};
	const struct instance_out inst = {
		.account = "000000000000",
		.id = "i",
		.creator_request_id = "c",
		.attributes = {pairs, 2, true},
	};
	struct instance_out bare = {.account = "000000000000", .id = "j"};
	const struct instance_page_out page = {"000000000000", &bare, 1, "token"};

	(void)state;
	prints(encode_instance, &inst,
	       "{\"ResourceOwner\":\"000000000000\",\"Instance\":{\"Id\":\"i\","
	       "\"CreatorRequestId\":\"c\",\"Attributes\":{\"AWS_INSTANCE_IPV4\":"
	       "\"10.0.0.1\",\"k\\n\":\"\\\"v\\\"\"},\"CreatedByAccount\":"
	       "\"000000000000\"}}");
	bare.creator_request_id = "c";
	prints(encode_instance_page, &page,
	       "{\"ResourceOwner\":\"000000000000\",\"Instances\":[{\"Id\":\"j\","
	       "\"Attributes\":{},\"CreatedByAccount\":\"000000000000\"}],"
	       "\"NextToken\":\"token\"}");
}

static void test_discovery_and_health_are_shown_by_name(void **state)
{
	struct text_pair pair = {"k", "v"};
	struct discovered_instance items[] = {
		{"i", HEALTH_HEALTHY, {&pair, 1, true}},
		{"j", HEALTH_UNHEALTHY, {0}},
	};
	struct discover_out found = {"ns", "web", items, 2, 7};
	struct instance_health health = {"i", HEALTH_UNKNOWN};
	const struct health_page_out page = {&health, 1, NULL};

	(void)state;
	prints(encode_discovery, &found,
	       "{\"Instances\":[{\"InstanceId\":\"i\",\"NamespaceName\":\"ns\","
	       "\"ServiceName\":\"web\",\"HealthStatus\":\"HEALTHY\",\"Attributes\":"
	       "{\"k\":\"v\"}},{\"InstanceId\":\"j\",\"NamespaceName\":\"ns\","
	       "\"ServiceName\":\"web\",\"HealthStatus\":\"UNHEALTHY\",\"Attributes\":"
	       "{}}],\"InstancesRevision\":7}");
	found.count = 0;
	prints(encode_discovery, &found, "{\"Instances\":[],\"InstancesRevision\":7}");
	prints(encode_revision, &found, "{\"InstancesRevision\":7}");
	prints(encode_health_page, &page, "{\"Status\":{\"i\":\"UNKNOWN\"}}");
}

static void test_vpc_and_status_are_shown_in_full(void **state)
{
	const char *cidrs[] = {"10.0.0.0/16", "fd00::/8"};
	const struct vpc_record vpc = {"vpc-1", cidrs, 2, true};
	const struct api_status status = {
		.version = "0.1.0",
		.started_ms = 1587055860121,
		.dns_addresses = "127.0.0.1:10053",
		.api_addresses = "127.0.0.1:8053",
		.data_dir = "/d",
		.workers = 2,
		.dns_cpus = "0-1,4",
		.zones = 3,
		.rcodes = {[3] = 7},
		.forward = {.failures = 5},
		.api_given_up = 8,
	};

	(void)state;
	prints(encode_vpc, &vpc,
	       "{\"Vpc\":{\"VpcId\":\"vpc-1\",\"Cidrs\":[\"10.0.0.0/16\","
	       "\"fd00::/8\"],\"Fixed\":true}}");
	prints(encode_status, &status,
	       "{\"Status\":{\"Version\":\"0.1.0\",\"StartDate\":1587055860.121,"
	       "\"DnsAddresses\":\"127.0.0.1:10053\",\"ApiAddresses\":\"127.0.0.1:8053\","
	       "\"DataDir\":\"/"
	       "d\",\"Workers\":2,\"DnsCpus\":\"0-1,4\",\"Zones\":3,\"Names\":0,"
	       "\"UdpQueries\":0,\"UdpGrouped\":0,\"UdpRests\":0,"
	       "\"TcpQueries\":0,\"Answered\":0,\"Dropped\":0,\"Truncated\":0,\"Rcodes\":"
	       "{\"NOERROR\":0,\"FORMERR\":0,\"SERVFAIL\":0,\"NXDOMAIN\":7,\"NOTIMP\":0,"
	       "\"REFUSED\":0,\"YXDOMAIN\":0,\"YXRRSET\":0,\"NXRRSET\":0,\"NOTAUTH\":0,"
	       "\"NOTZONE\":0},\"Forward\":{\"Queries\":0,\"CacheHits\":0,\"Questions\":"
	       "0,"
	       "\"Failures\":5,\"TurnedAway\":0},\"ApiGivenUp\":8}}");
}

static void test_text_that_is_not_utf8_fails_the_encoding(void **state)
{
	struct namespace_record bad = dns;

	(void)state;
	bad.description = "\xff";
	assert_int_equal(encoding_status(encode_namespace, &bad), GAZ_EFORMAT);
	bad.description = NULL;
	bad.name = "\xff";
	assert_int_equal(encoding_status(encode_namespace, &bad), GAZ_EFORMAT);
}

static void test_every_fault_has_its_own_wire_code_and_status_400(void **state)
{
	(void)state;
	for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
		assert_string_not_equal(error_name(code), "InternalFailure");
		assert_int_equal(error_http_status(code), 400);
	}
	for (int code = FAULT_COUNT; code < ERROR_COUNT; code++)
		assert_true(error_http_status(code) >= 400);
	assert_string_equal(error_name(FAULT_NONE), "InternalFailure");
	assert_string_equal(error_name(ERROR_COUNT), "InternalFailure");
}

static void test_error_bodies_carry_the_members_that_clients_read(void **state)
{
	const struct fault fault = {
		.code = FAULT_DUPLICATE_REQUEST,
		.extra_count = 1,
		.extra = {{"DuplicateOperationId", "op-1"}},
	};

	(void)state;
	prints_error(FAULT_DUPLICATE_REQUEST, "m", &fault,
		     "{\"__type\":\"DuplicateRequest\",\"Message\":\"m\","
		     "\"DuplicateOperationId\":"
		     "\"op-1\"}");
	prints_error(ERROR_SERIALIZATION, "cut \xe2\x82", NULL,
		     "{\"__type\":\"SerializationException\",\"message\":\"cut \"}");
	assert_int_equal(error_from_status(GAZ_EBUSY), ERROR_SERVICE_UNAVAILABLE);
	assert_int_equal(error_from_status(GAZ_ESTORE), ERROR_INTERNAL_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_are_found_by_exact_name),
		cmocka_unit_test(test_every_row_is_complete_and_unique),
		cmocka_unit_test(test_namespace_forms_differ_between_get_and_list),
		cmocka_unit_test(test_empty_lists_are_shown_and_absent_members_are_not),
		cmocka_unit_test(test_service_shows_dns_config_with_its_namespace),
		cmocka_unit_test(test_operation_shows_its_error_only_when_it_failed),
		cmocka_unit_test(test_instances_are_shown_with_their_attributes),
		cmocka_unit_test(test_discovery_and_health_are_shown_by_name),
		cmocka_unit_test(test_vpc_and_status_are_shown_in_full),
		cmocka_unit_test(test_text_that_is_not_utf8_fails_the_encoding),
		cmocka_unit_test(test_every_fault_has_its_own_wire_code_and_status_400),
		cmocka_unit_test(test_error_bodies_carry_the_members_that_clients_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
