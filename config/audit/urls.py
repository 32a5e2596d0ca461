"""The addresses of the auditor's pages."""

from django.urls import path

from config.audit import exports, history, rights

app_name = "audit"

urlpatterns = [
    path("", history.history, name="history"),
    path("chains/<uuid:key>/", history.subject, name="chain"),
    path("rights/", rights.rights, name="rights"),
    path("exports/", exports.list_exports, name="exports"),
    path("exports/new/", exports.new_export, name="new-export"),
    path("exports/<uuid:key>/", exports.export, name="export"),
    path("exports/<uuid:key>/stop/", exports.stop_export, name="stop-export"),
    path("exports/<uuid:key>/files/<str:name>", exports.export_file, name="export-file"),
]
