"""The addresses of the desk."""

from django.urls import path

from config.desk import attachments, board, orders, placing, saved, search, when

app_name = "desk"

urlpatterns = [
    path("search/", search.search, name="search"),
    path("when/", when.when, name="when"),
    path("board/", board.board, name="board"),
    path("board/<str:reference>/move/", board.move, name="board-move"),
    path("board/views/", saved.save, name="save-view"),
    path("board/views/<uuid:key>/delete/", saved.forget, name="forget-view"),
    path("orders/<str:reference>/", orders.service_order, name="service-order"),
    path("parts-orders/<str:reference>/", orders.parts_order, name="parts-order"),
    path("place/", placing.place_order, name="place"),
    path("place/line/", placing.line, name="place-line"),
    path("place/part/", placing.find_part, name="place-part"),
    path("place/whom/", placing.find_whom, name="place-whom"),
    path("files/<uuid:key>/", attachments.file, name="file"),
]
